"""A fake world around the real twin, driven by one seed: people, a platform, a model, a clock, and crashes."""
