"""Stage 'render': meshes to pictures and mouth crops."""
