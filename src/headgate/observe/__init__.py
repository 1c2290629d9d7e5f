"""What is to be seen of runs and tables: figures, the history made anew, health, scores."""
