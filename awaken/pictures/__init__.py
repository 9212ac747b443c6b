"""From a visitor's file to pixels: containers, colours, kinds by name, and a bound on memory."""
