"""Home of the MultiTalk reference model (vector-quantised motion autoencoder and language-conditioned decoder).

Not built yet: nothing in this version of mtbench imports it, and no command pretends to run it.
"""
