"""Output for reviewers: plan, report, warnings, previews, rendered from templates."""
