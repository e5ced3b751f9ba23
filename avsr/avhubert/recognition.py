"""A loaded AV-HuBERT: encode, score and search clips, and read the result.

Conventions
-----------
Shapes: B clips, T frames at 25 a second, L tokens, V vocabulary, C width. Video is (B, 1, T, 88, 88), gray over 255,
less 0.421, over 0.165; audio is (B, 104, T) of :mod:`mtbench.avsr.avhubert.filterbank`; masks are (B, T), True in
padded frames. Video of one clip may stand beside sounds of many, and is then looked at once. Nothing is computed for
training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import nn

from mtbench.avsr.avhubert.beam_search import Finished, SearchSettings, search_beams
from mtbench.avsr.avhubert.decoder import AVHubertDecoder, DecoderSizes
from mtbench.avsr.avhubert.encoder import AUDIO_WIDTH, AVHubertEncoder, EncoderSizes
from mtbench.avsr.avhubert.vocabulary import Vocabulary
from mtbench.errors import UsageError

#: Pixels of a mouth crop's side as the network sees it.
SIDE = 88


class AVHubertNetwork(nn.Module):
    """Encoder and what writes, by the published names.

    Parameters
    ----------
    encoder : EncoderSizes
        Sizes of the encoder.
    decoder : DecoderSizes or None
        Sizes of the decoder, if there is one.
    letters : int
        Classes of a CTC head; 0 for none.
    """

    def __init__(self, encoder: EncoderSizes, decoder: DecoderSizes | None, letters: int = 0) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"w2v_model": AVHubertEncoder(encoder)})
        if decoder is not None:
            self.decoder = AVHubertDecoder(decoder)
        if letters:
            self.ctc_proj = nn.Linear(encoder.width, letters)

    @property
    def eyes_and_ears(self) -> AVHubertEncoder:
        """The encoder."""
        return cast(AVHubertEncoder, self.encoder["w2v_model"])


class AVHubert:
    """A network with its vocabulary, ready to read.

    Parameters
    ----------
    network : AVHubertNetwork
        In evaluation mode, with its weights.
    vocabulary : Vocabulary
        What tokens mean.
    start : int
        The token that hypotheses begin with; it is not part of them.
    """

    def __init__(self, network: AVHubertNetwork, vocabulary: Vocabulary, start: int) -> None:
        self.network = network
        self.vocabulary = vocabulary
        self.start = start

    @torch.no_grad()
    def see(self, video: Any) -> torch.Tensor:
        """Return what the eyes make of (1, 1, T, 88, 88) *video*: ``seen`` of :meth:`encode`, for many sounds."""
        video = torch.as_tensor(video).float().to(self._device)
        _check_shapes(video, None, None)
        return self.network.eyes_and_ears.see(video)

    @torch.no_grad()
    def encode(
        self, *, video: Any = None, audio: Any = None, padding_mask: Any = None, seen: Any = None
    ) -> torch.Tensor:
        """Encode clips.

        Parameters
        ----------
        video : array or None
            (B, 1, T, 88, 88) normalized, or None for sound alone.
        audio : array or None
            (B, 104, T), or None for sight alone.
        padding_mask : array, optional
            (B, T) booleans, True in padded frames.
        seen : torch.Tensor, optional
            Of :meth:`see`, in place of *video*.

        Returns
        -------
        torch.Tensor
            (B, T, C).

        Raises
        ------
        UsageError
            For neither of the two, or shapes that are wrong or do not fit.
        """
        device = self._device
        video, audio = (None if x is None else torch.as_tensor(x).float().to(device) for x in (video, audio))
        encoder = self.network.eyes_and_ears
        if seen is None:
            _check_shapes(video, audio, padding_mask)
            seen = None if video is None else encoder.see(video)
        return encoder(seen, audio, self._mask(padding_mask))

    @torch.no_grad()
    def logits(self, encoded: Any, padding_mask: Any, previous_tokens: Any) -> torch.Tensor:
        """Return (B, L, V): what follows each of (B, L) *previous_tokens*, given (B, T, C) *encoded*.

        Parameters
        ----------
        encoded : torch.Tensor
            Of :meth:`encode`.
        padding_mask : array or None
            (B, T) booleans.
        previous_tokens : array
            (B, L) whole numbers; the first of a row is the start.
        """
        decoder = self._decoder()
        tokens = torch.as_tensor(previous_tokens).long().to(self._device)
        return decoder(tokens, decoder.begin(encoded, self._mask(padding_mask)))[0]

    @torch.no_grad()
    def letter_logits(self, encoded: torch.Tensor, padding_mask: Any = None) -> torch.Tensor:
        """Return (B, T, letters) of a head of letters; padded frames are sure of the blank.

        Parameters
        ----------
        encoded : torch.Tensor
            Of :meth:`encode`.
        padding_mask : array, optional
            (B, T) booleans.

        Raises
        ------
        UsageError
            For a checkpoint without such a head.
        """
        if not hasattr(self.network, "ctc_proj"):
            raise UsageError("this checkpoint writes with a decoder and has no head of letters; use search")
        logits = self.network.ctc_proj(encoded)
        mask = self._mask(padding_mask)
        if mask is not None:
            logits[mask] = -torch.inf
            logits[..., 0][mask] = 0.0
        return logits

    def spell(self, encoded: torch.Tensor, padding_mask: Any = None) -> list[list[int]]:
        """Return the letters' tokens of each clip: the likeliest of every frame, repetitions once, blanks left out.

        Parameters
        ----------
        encoded, padding_mask
            See :meth:`letter_logits`; :meth:`detokenize` makes text of the result.
        """
        said = [torch.unique_consecutive(row) for row in self.letter_logits(encoded, padding_mask).argmax(-1)]
        return [[token for token in row.tolist() if token] for row in said]

    @torch.no_grad()
    def search(
        self,
        *,
        video: Any = None,
        audio: Any = None,
        padding_mask: Any = None,
        encoded: Any = None,
        beam: int = 5,
        length_penalty: float = 0.0,
        max_length: int = 60,
    ) -> list[list[Finished]]:
        """Find the likeliest texts, as fairseq's generator does.

        Parameters
        ----------
        video, audio, padding_mask
            See :meth:`encode`.
        encoded : torch.Tensor, optional
            Of :meth:`encode`, in place of video and audio.
        beam : int
            Hypotheses kept; 1 is greedy.
        length_penalty : float
            Exponent of the length that scores are divided by.
        max_length : int
            Most tokens before the end, which is forced there.

        Returns
        -------
        list of list of tuple
            For each clip (tokens with end, score), best first.
        """
        decoder = self._decoder()
        if encoded is None:
            encoded = self.encode(video=video, audio=audio, padding_mask=padding_mask)
        mask = self._mask(padding_mask)
        if mask is not None:
            mask = mask.expand(len(encoded), -1)
        settings = SearchSettings(
            beam, length_penalty, max_length, self.start, self.vocabulary.end, decoder.sizes.pad
        )
        return search_beams(decoder, decoder.begin(encoded, mask), len(encoded), settings)

    def detokenize(self, tokens: Sequence[int]) -> str:
        """Return the text of *tokens*; beginning, end and padding are not written."""
        return self.vocabulary.detokenize(tokens)

    def tokenize(self, text: str) -> list[int]:
        """Return the tokens of *text*, the end included."""
        return self.vocabulary.tokenize(text)

    @torch.no_grad()
    def log_probability(
        self,
        tokens: Any,
        *,
        video: Any = None,
        audio: Any = None,
        padding_mask: Any = None,
        encoded: Any = None,
    ) -> torch.Tensor:
        """Return (B,): the natural logarithm of the probability of a text, given each clip.

        Parameters
        ----------
        tokens : sequence
            Tokens with their end: one text for all clips, or one a clip.
        video, audio, padding_mask, encoded
            See :meth:`search`.

        Raises
        ------
        UsageError
            For another number of texts than clips, or an empty one.
        """
        decoder = self._decoder()
        if encoded is None:
            encoded = self.encode(video=video, audio=audio, padding_mask=padding_mask)
        single = len(tokens) > 0 and not hasattr(tokens[0], "__len__")
        texts = [[int(t) for t in text] for text in ([tokens] if single else tokens)]
        texts = texts * len(encoded) if len(texts) == 1 else texts
        if len(texts) != len(encoded) or not all(texts):
            raise UsageError(
                f"{len(texts)} texts for {len(encoded)} clips; expected one each, none of them empty"
            )
        longest = max(map(len, texts))
        said = torch.tensor([text + [decoder.sizes.pad] * (longest - len(text)) for text in texts])
        said = said.to(encoded.device)
        previous = torch.cat([torch.full_like(said[:, :1], self.start), said[:, :-1]], 1)
        gains = self.logits(encoded, padding_mask, previous).float().log_softmax(-1)
        taken = gains.gather(-1, said[..., None])[..., 0]
        lengths = torch.tensor([len(text) for text in texts], device=encoded.device)
        there = torch.arange(longest, device=encoded.device) < lengths[:, None]
        return taken.masked_fill(~there, 0.0).sum(-1)

    @property
    def _device(self) -> torch.device:
        return self.network.eyes_and_ears.post_extract_proj.weight.device

    def _mask(self, padding_mask: Any) -> torch.Tensor | None:
        return None if padding_mask is None else torch.as_tensor(padding_mask).bool().to(self._device)

    def _decoder(self) -> AVHubertDecoder:
        if not hasattr(self.network, "decoder"):
            raise UsageError("this checkpoint has a head of letters and no decoder; use letter_logits")
        return self.network.decoder


def _check_shapes(video: torch.Tensor | None, audio: torch.Tensor | None, padding_mask: Any) -> None:
    if video is None and audio is None:
        raise UsageError("neither video nor audio; expected at least one of them")
    if video is not None and (
        video.ndim != 5 or video.shape[1] != 1 or tuple(video.shape[3:]) != (SIDE, SIDE)
    ):
        raise UsageError(f"video of shape {tuple(video.shape)}, expected (B, 1, T, {SIDE}, {SIDE})")
    if audio is not None and (audio.ndim != 3 or audio.shape[1] != AUDIO_WIDTH):
        raise UsageError(f"audio of shape {tuple(audio.shape)}, expected (B, {AUDIO_WIDTH}, T)")
    frames = {x.shape[2] for x in (video, audio) if x is not None}
    clips = {len(x) for x in (video, audio) if x is not None}
    if len(frames) > 1 or (len(clips) > 1 and (video is None or len(video) != 1)):
        shapes = [tuple(x.shape) for x in (video, audio) if x is not None]
        raise UsageError(
            f"video and audio of shapes {shapes}: expected as many frames, and as many clips or one video"
        )
    if padding_mask is not None:
        shape = tuple(torch.as_tensor(padding_mask).shape)
        if len(shape) != 2 or shape[0] not in (1, max(clips)) or shape[1] not in frames:
            raise UsageError(f"a padding mask of shape {shape}, expected ({max(clips)}, {min(frames)})")
