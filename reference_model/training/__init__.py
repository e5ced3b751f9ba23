"""Training of both stages and of speech encoders; see :mod:`mtbench.reference_model.training.train`."""
