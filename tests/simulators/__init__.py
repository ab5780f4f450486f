"""Servers that speak the real protocols of what the twin talks with, and do what a test tells them."""
