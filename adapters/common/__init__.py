"""What platforms need alike: it lives once."""
