"""The books: who may write what when, and the proof that nothing was lost or doubled."""
