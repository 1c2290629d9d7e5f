"""Plans and carries out a run."""
