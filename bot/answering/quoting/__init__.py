"""Choosing what to quote: sentences, words, the question, the evidence, and the quotes themselves (pure)."""
