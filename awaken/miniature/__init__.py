"""The embedded default: networks, text, loading. What trains and measures them: ``training``."""
