"""What people say: judgements of pairs, scores, and how far metrics agree with them.

Formats are described in ``docs/people.md``; the statistics lie in :mod:`mtbench.statistics`.

Contents
--------
======================= ===============================================================================================
``attention``           Attention checks: whose judgements are left out, by a rule that does not know what they said
``correlation``         How far metrics agree with people: at named levels, with intervals and tests, and metric
                        against metric
``correlation_text``    Agreement of metrics and people as tables of text and JSON
``examples``            Data of people that ship: the paper's Tables 2, 3 and 4, by a short name wherever a file is
                        asked for
``human_scores``        People's scores of systems: from a table of scores, or from judgements of pairs
``judgements``          Judgements of pairs, as they are brought: one row a judgement, or counts
``metric_scores``       Metrics' scores of systems, clip by clip, from result folders, turned so that larger is better
``planning``            How many raters and clips a study needs, by simulating studies and the tests that would be made
                        of them
``preference``          What people prefer: pairs with intervals and tests, a scale, agreement, and what to keep in
                        mind
``preference_text``     Preferences as tables of text, CSV and JSON
``preference_warnings`` What to keep in mind about a study: who was never compared, who always won, what is indirect,
                        how few there were
``published_scores``    Scores of systems from a table that somebody else printed: one row a system and metric
``scored_pairs``        Pairs of systems: how often a metric says of two who is better, or that they tie, as people do
``table_files``         Tables that people bring, CSV or JSON lines: cells as text with their line, and every problem
                        at once
``two_sides``           Metrics' and people's scores of the same systems on the same clips, with one bootstrap for both
``vote_tables``         Votes of one aspect as arrays: by pair, by rater, by clip
======================= ===============================================================================================

Examples
--------
>>> from mtbench.people import measure_preference, read_example
>>> lip_sync = measure_preference(read_example("multitalk-table4"), samples=100).aspects[0]
>>> [(pair.b, pair.better) for pair in lip_sync.pairs if pair.better is None]
[('SelfTalk', None)]
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
