"""A loaded Auto-AVSR or ViSpeR: encode, score and search clips, and read the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mtbench.avsr.auto_avsr.signals import SIDE, normalize_sound
from mtbench.avsr.auto_avsr.units import Units
from mtbench.errors import UsageError

if TYPE_CHECKING:
    import torch

    from mtbench.avsr.auto_avsr.network import AutoAVSRNetwork


class AutoAVSR:
    """A network with its units, ready to read.

    Parameters
    ----------
    network : AutoAVSRNetwork
        In evaluation mode, with its weights, without gradients.
    units : Units
        What tokens mean.
    """

    def __init__(self, network: AutoAVSRNetwork, units: Units) -> None:
        self.network = network
        self.units = units

    @property
    def hears(self) -> bool:
        """Whether the network takes sound; one that does wants both."""
        return self.network.sizes.audio is not None

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-3 codes of the languages it was taught."""
        return self.units.languages

    @property
    def _device(self) -> torch.device:
        return self.network.ctc.ctc_lo.weight.device

    def encode(self, *, video: Any, audio: Any = None) -> torch.Tensor:
        """Encode a clip.

        Parameters
        ----------
        video : array
            (T, 88, 88), normalized as :func:`mtbench.avsr.auto_avsr.normalize_mouths` does it.
        audio : array or None
            (640 T,) in [-1, 1] at 16 kHz, not normalized: that happens here, over the clip. Another length is cut or
            filled with zeros, before that by Auto-AVSR and afterwards by ViSpeR. None for a network that does not hear.

        Returns
        -------
        torch.Tensor
            (T, D).

        Raises
        ------
        UsageError
            For shapes that are wrong, and for sound that is missing or that the network cannot take.
        """
        if self.hears != (audio is not None):
            raise UsageError(
                "this network sees and hears; expected audio beside video"
                if self.hears
                else "this network reads lips alone; expected video without audio"
            )
        seen = self.see(video)
        return self.join(seen, None if audio is None else self.hear(audio, len(seen)))

    def see(self, video: Any) -> torch.Tensor:
        """Return (T, D): the part of :meth:`encode` that sounds have no say in."""
        import torch

        shown = torch.as_tensor(video)
        if shown.ndim != 3 or tuple(shown.shape[1:]) != (SIDE, SIDE) or not len(shown):
            raise UsageError(f"video of shape {tuple(shown.shape)}, expected (T, {SIDE}, {SIDE})")
        if not shown.is_floating_point():
            raise UsageError(f"video of type {shown.dtype}, expected normalized mouths: see normalize_mouths")
        with torch.no_grad():
            return self.network.encoder(shown.float()[None].to(self._device))[0]

    def hear(self, audio: Any, frames: int) -> torch.Tensor:
        """Return (T, D'): the part of :meth:`encode` that faces have no say in; *frames* are those of the video."""
        import torch

        sound = normalize_sound(audio, frames, cut_first=not self.units.many_languages)
        with torch.no_grad():
            return self.network.aux_encoder(torch.from_numpy(sound)[None].to(self._device))[0]

    def join(self, seen: torch.Tensor, heard: torch.Tensor | None) -> torch.Tensor:
        """Return (T, D), what :meth:`encode` does, of its two parts."""
        import torch

        with torch.no_grad():
            return self.network.join(seen[None], None if heard is None else heard[None])[0]

    def ctc_log_probs(self, encoded: torch.Tensor) -> torch.Tensor:
        """Return (T, V): natural logarithms of each token's probability in each frame of (T, D) *encoded*."""
        import torch

        with torch.no_grad():
            return self.network.ctc.log_softmax(encoded[None])[0]

    def decoder_log_probs(self, encoded: torch.Tensor, previous_tokens: Any) -> torch.Tensor:
        """Return (L, V): natural logarithms of what follows each of *previous_tokens*.

        Parameters
        ----------
        encoded : torch.Tensor
            (T, D), of :meth:`encode`.
        previous_tokens : array
            (L,) whole numbers; they begin as hypotheses do.
        """
        import torch

        tokens = torch.as_tensor(previous_tokens).long().to(encoded.device)
        if (
            tokens.ndim != 1
            or not len(tokens)
            or int(tokens.min()) < 0
            or int(tokens.max()) >= self.units.size
        ):
            raise UsageError(
                f"tokens of shape {tuple(tokens.shape)}, expected (L,) with at least one, each below {self.units.size}"
            )
        with torch.no_grad():
            return self.network.continue_tokens(encoded[None], tokens[None])[0]

    def search(
        self,
        encoded: torch.Tensor,
        beam: int = 40,
        ctc_weight: float = 0.1,
        length_bonus: float = 0.0,
        language: str | int | None = None,
    ) -> list[tuple[list[int], float]]:
        """Find the likeliest texts, as published.

        Parameters
        ----------
        encoded : torch.Tensor
            (T, D), of :meth:`encode`.
        beam : int
            Hypotheses kept.
        ctc_weight : float
            Weight of CTC's prefix score, from 0 to 1; the decoder has the rest.
        length_bonus : float
            What each token is rewarded with.
        language : str or int, optional
            What is spoken, in whatever way people write it, or as a unit or its number: ViSpeR's decoder begins with
            it. None leaves it open. Auto-AVSR knows English alone.

        Returns
        -------
        list of tuple
            (tokens with beginning and end, score), best first.
        """
        import torch

        from mtbench.avsr.auto_avsr.search import SearchSettings, search_beams

        settings = SearchSettings(beam, ctc_weight, length_bonus)
        with torch.no_grad():
            found = search_beams(self.network, encoded, self.units.start(language), settings)
        return [(one.tokens, one.score) for one in found]

    def detokenize(self, tokens: Sequence[int], language: str | int | None = None) -> str:
        """Return the text of *tokens* that :meth:`search` found for *language*; beginning and end are not written."""
        return self.units.detokenize(tokens, language)

    def tokenize(self, text: str, language: str | int | None = None) -> list[int]:
        """Return the tokens of *text*, that of the language before them, without beginning and end."""
        return self.units.tokenize(text, language)
