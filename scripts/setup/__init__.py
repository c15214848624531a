"""Sets up a repository and its bucket, and checks that: one list of steps drives both."""
