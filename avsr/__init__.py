"""Stage 'recognize': audio-visual speech recognizers behind one protocol."""
