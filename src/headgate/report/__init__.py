"""The page: one HTML file that says how a project is. From plain data to text; it reads nothing and asks nobody."""
