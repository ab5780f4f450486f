"""The twin in Slack."""
