"""The mirror at the Hugging Face Hub."""
