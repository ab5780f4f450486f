"""The twin in Discord."""
