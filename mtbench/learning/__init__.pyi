from .loss_plot import plot_losses as plot_losses
