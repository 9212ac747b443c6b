"""The embedded default: networks, text, loading, and the programs that train and measure them."""
