"""What comes from platforms and goes to them: received once, done durably, shown once."""
