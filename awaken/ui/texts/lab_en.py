"""The words of the laboratory and of the comparison; ``say`` as in ``texts``."""

from __future__ import annotations

from awaken.ui.texts.lab_zh import CHINESE
from awaken.ui.texts.languages import current_language

ENGLISH: dict[str, str] = {
    "title": "Laboratory",
    "intro": "Several runs at once, on the painting, the prompt and the settings at the left.",
    "sweep": "Sweep",
    "sweep_about": "Five values of one setting; everything else stays the same. One slider moves "
    "all videos.",
    "sweep_what": "What varies",
    "sweep_p": "p: 0, 0.25, 0.5, 0.75, 1",
    "sweep_alpha": "α: all five curves of Fig. 6",
    "go_sweep": "Render all five",
    "variants": "Table 1",
    "variants_about": "The five rows of Table 1 on this painting: what each part of the "
    "method does.",
    "go_variants": "Render the five rows",
    "paths": "Latent paths",
    "paths_about": "Fig. 2 of the paper: every point is one frame, encoded by itself as the "
    "video model encodes a painting, and drawn where it lies among the others. The generated "
    "videos are encoded from their finished frames, so that a filmed clip is treated in the "
    "same way.",
    "paths_honest": "Read it with care: slerp makes lines by construction, between painting "
    "and proxy. A straight path alone is no proof of natural motion.",
    "clip": "A real clip, as a third path (its first seconds; MP4, MOV, WebM, AVI, GIF)",
    "go_paths": "Draw the paths",
    "map": "Map",
    "map_start": "PCA, from a common start",
    "map_pca": "PCA, where they lie",
    "map_tsne": "t-SNE",
    "map_start_line": "Every path is moved so that its first frame lies at the same point, "
    "then principal components; the two axes show {first:.0%} and {second:.0%} of the "
    "variance.",
    "map_pca_line": "Principal components of all frames; the two axes show {first:.0%} and "
    "{second:.0%} of the variance.",
    "map_tsne_line": "t-SNE (exact, perplexity {perplexity:.0f}): near frames stay near; "
    "distances between far groups and the axes mean nothing.",
    "path_baseline": "Baseline",
    "path_awakened": "Awakened",
    "path_clip": "Real clip",
    "path_column": "Path",
    "straightness": "Straightness",
    "order": "Order",
    "none": "does not move",
    "numbers_about": "Straightness: distance from first to last frame over the length of the "
    "way; 1 is a straight line. Order: rank correlation between frame number and place along "
    "the path’s main direction; 1 is perfect order. Both are measured in the full space, not "
    "on the map.",
    "paths_alt": "Map of {count} frames. {numbers}",
    "encoding": "{name}: frame {frame} of {frames}",
    "paths_done": "{count} frames encoded. {saved}",
    "curves": "α and λ",
    "curves_about": "Bars: the step size α of every distilled step (Fig. 6). Line: λ, the "
    "share of the way to the model’s own guess that the step really moves, α·w·a/s. Above 1 "
    "a step overshoots, above 2 it diverges. Peak, p, steps and video model are those of the "
    "controls.",
    "curve_calm": "λ at most {worst:.2f}: every step is damped",
    "curve_overshoots": "λ up to {worst:.2f}: {count} of {tau} steps overshoot",
    "curve_diverges": "λ up to {worst:.2f}: {count} of {tau} steps would diverge",
    "curve_unknown": "λ appears once the video model is loaded: press Awaken once",
    "curve_starting": "the models are starting; λ follows by itself",
    "curve_none": "no step distils at p = 0",
    "curve_alt": "{name}: α from {first:g} to {last:g}; {verdict}",
    "curve_limit_1": "overshoots",
    "curve_limit_2": "diverges",
    "backends": "Video models",
    "backends_about": "Fig. 4: one painting and one sentence, baseline and awakened of each "
    "video model, each at its own steps, size and guidance.",
    "backends_choose": "Video models that run here",
    "go_backends": "Render with each",
    "proxies": "Proxy images",
    "proxies_about": "Fig. 8 and 10: what the choice of the proxy image does. Under each "
    "video its proxy, and how near that is to the painting.",
    "proxies_choose": "Proxies that run here",
    "go_proxies": "Awaken with each",
    "elsewhere": "Not on this machine",
    "elsewhere_line": "**{title}.** {needs} {why}",
    "choose_some": "Choose at least one.",
    "stop": "Stop",
    "idle": "Nothing rendered yet.",
    "turned_away": "Too many visitors are waiting, or a setting lies outside its range. Try again in "
    "a moment.",
    "lost_restarted": "This series is gone: the server was restarted. Your settings are still here: "
    "start it again.",
    "lost_forgotten": "The server has deleted this series. Your settings are still here: start it "
    "again.",
    "waiting": "Waiting in line",
    "waited": "Waiting for another run, {seconds:.0f} s so far",
    "warming": "Starting the models, {seconds:.0f} s",
    "stage_load": "loading the models",
    "stage_proxy": "making the proxy image",
    "stage_distil": "distilling",
    "stage_denoise": "denoising",
    "stage_decode": "decoding",
    "running": "{index} of {count}, {label}: {stage}",
    "running_step": "{index} of {count}, {label}: {stage}, step {step} of {steps}",
    "writing": "Writing the video",
    "done_one": "One run in {seconds:.1f} s. {saved}",
    "done": "{count} runs in {seconds:.1f} s. {saved}",
    "saved": "{evaluations} network evaluations instead of {scratch}: {reused} reused, "
    "{share:.0%} saved.",
    "saved_all": "No network evaluation was needed: everything was reused from earlier runs.",
    "saved_none": "{evaluations} network evaluations; nothing could be reused.",
    "reused_baseline": "baseline {count}×",
    "reused_proxy": "proxy image {count}×",
    "reused_distil": "distilled paths {count}×",
    "reused_denoise": "whole videos {count}×",
    "and": ", ",
    "reused_other": "stages of earlier runs",
    "stopped": "Stopped.",
    "problem": "{label}: {message}",
    "tile_baseline": "Baseline",
    "tile_p": "p = {p:g}",
    "tile_of": "{title}: {video}",
    "note_motion": "motion {motion:.1f}",
    "note_motion_about": "Motion: mean change from frame to frame, in grey levels of 255.",
    "use": "Use this",
    "play": "Play",
    "pause": "Pause",
    "previous": "Previous frame",
    "next": "Next frame",
    "scrub": "Frame of all videos",
    "frame": "Frame {0} of {1}",
    "grid": "Videos, all at the same frame",
    "still": "Proxy image of {0}",
    "trouble": "This browser could not play the video; it shows the small preview.",
    "download": "Download this video",
}

LANGUAGES: dict[str, dict[str, str]] = {"en": ENGLISH, "zh": CHINESE}


def say(key: str, **values: object) -> str:
    """The text called ``key`` with its blanks filled in."""
    text = LANGUAGES[current_language()][key]
    return text.format(**values) if values else text
