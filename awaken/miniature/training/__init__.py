"""What trains and measures the miniature; the running demo imports nothing of it."""
