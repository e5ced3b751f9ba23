"""Meta-evaluation: does the metric measure what it claims to? Known degradations in, orderings out.

A *system* is a known degradation of a benchmark's ground truth at one strength; what a recognizer makes of all
systems is kept clip by clip, and every statistic, plot and report is a function of that alone.

Contents
--------
==================== ==================================================================================================
``bits``             What readability bits say beside AVLR: gains over other faces, clips needed, and the figures they
                     have to reach
``captured_chains``  Degradations of captured motion, and whether a recognizer puts them in their known order
``correlation``      Rank correlation of a metric's scores with the order of systems that is known beforehand
``curves``           Curves of a metric over the strength of a degradation
``degradations``     Known degradations of motion and of timed phones
``estimates``        Scores of systems with replicates: what every statistic of the meta-evaluation starts from
``fairness``         Fairness: whether a metric treats languages alike, and which traits of languages are associated
                     with a difference
``ground_truth``     The ground truth of a clip, and the one function that makes a system's motion from it
``json_values``      From dataclasses to JSON values and back, for the report
``language_traits``  Traits of languages that scores may be associated with: speed of speech, visibility of sounds, and
                     others
``monotonicity``     Whether every curve is monotone within its intervals: more damage must never score significantly
                     better
``noise_curves``     Curves of error rates over the signal-to-noise ratio, for every noise
``nuisances``        Differences from the ground truth: nuisances, which should score as it does, and controls, which
                     should not
``other_faces``      Other clips' faces: what a clip's own face is compared with, where moving alone should count for
                     nothing
``page_bits``        Section of the report's page on readability bits beside AVLR
``page_insights``    Sections of the report's page: nuisances, sensitivity, confusions, languages
``page_parts``       Pieces of the report's page: tables, numbers, the style sheet
``page_sight``       Section of the report's page on whether the recognizer reads the benchmark's true motion
``pairwise``         Pairwise accuracy of a metric: how often it is right about which of two systems is worse, or that
                     none is
``plot_insights``    Plots of sensitivity, conditions, confusions and languages
``plots``            Plots of a meta-evaluation's report, as SVG
``reading``          One clip of one system: degrade, measure, render, recognize
``record_arrays``    Records of all systems laid out as the arrays of a meta-evaluation's scores
``report``           The report of a meta-evaluation: every statistic as one JSON value, a page and plots
``report_data``      The numbers of a meta-evaluation's report: one dataclass with a field for each part
``report_page``      The page of a meta-evaluation's report: one HTML file with everything in it
``runs``             Recognition of every system of the meta-evaluation
``scores``           What a recognizer made of every system of the meta-evaluation, clip by clip
``sensitivity``      Sensitivity: in which noise at which level a metric tells systems apart best, and how many clips
                     that takes
``separation``       Separation: how many clips one measure needs to tell two systems apart
``system_files``     Records of a system that was recognized: one file each, so that a killed run goes on where it was
``systems``          The systems of the meta-evaluation: families of degradations, their levels, and the order that is
                     known
``truth_confusions`` What a recognizer confuses in the ground truth: viseme classes that are recognized from video
                     alone
``verdicts``         Conclusions of a meta-evaluation: targets that can be missed or stay open, and a verdict in words
==================== ==================================================================================================

Examples
--------
``mtbench validate-metric --quick`` writes the report.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
