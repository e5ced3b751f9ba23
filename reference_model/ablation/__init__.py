"""The paper's ablations as configurations of one model; see :mod:`mtbench.reference_model.ablation.ablation`."""
