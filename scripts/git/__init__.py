"""Running git, within limits, and making commits."""
