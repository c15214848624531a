"""What reviewers see: plan, report, warnings, previews, rendered from templates."""
