"""Changes of the curation that are proposed."""
