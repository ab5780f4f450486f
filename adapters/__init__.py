"""Where people meet the twin; each platform the same file names."""
