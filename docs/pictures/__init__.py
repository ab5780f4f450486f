"""Pictures of the real thing."""
