"""Connectors (对接): what speaks to systems of others. A folder each: messages without I/O, and a thin caller."""
