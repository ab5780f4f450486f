"""The process and the conversation."""
