"""What is kept of conversations: what was said, on what it rests, what people thought of it, and what it took."""
