"""Session stores: one table for each web process, so that neither process's database role can read the other's."""
