"""The words of the page in English. A new key needs its twin in ``page_zh`` (a test compares)."""

from __future__ import annotations

from awaken.types import ALPHA_KINDS, VARIANTS
from awaken.ui.texts import runs_en

ENGLISH: dict[str, str] = {
    # the frame of the page
    "title": "Every Painting Awakened",
    "subtitle": "A painting and a sentence become a video, by the paper’s training-free method.",
    "pages": "Languages and pages",
    "laboratory": "Laboratory",
    "to_stage": "Back to the stage",
    "language_offer": "本页有中文版",
    "foot": "**Every Painting Awakened: A Training-free Framework for Painting-to-Animation "
    "Generation.** The method is the authors’; this demo is an independent implementation of it. "
    "[Paper](https://arxiv.org/abs/2503.23736) · "
    "[Project page](https://painting-animation.github.io/animation/) · "
    "[Stage for talks](present)",
    "citation_title": "Cite the paper",
    "citation": "@article{liu2025every,\n"
    "  title   = {Every Painting Awakened: A Training-free Framework for\n"
    "             Painting-to-Animation Generation},\n"
    "  author  = {Liu and Wang and Zhu and Zheng},\n"
    "  journal = {arXiv preprint arXiv:2503.23736},\n"
    "  year    = {2025}\n"
    "}",
    # controls
    "painting": "Painting or photograph",
    "painting_drop": "Drop a painting here, paste one, or click to choose a file. A zip, an mp4 "
    "or a settings.json from this page brings that run back.",
    "painting_alt": "The chosen painting",
    "gallery": "Examples",
    "prompt": "What should move?",
    "prompt_hint": "the clouds drift across the sky",
    "chips": "Suggestions",
    # the motion brush
    "mask": "Motion mask",
    "brush_open": "Motion brush",
    "brush_everything": "Everything may move",
    "brush_share": "{0} % of the painting may move",
    "brush_free": "Let everything move",
    "brush_title": "What may move?",
    "brush_hint": "Paint over it. The rest of the painting stays still.",
    "brush_keys": "Arrow keys move the brush, with Shift in larger steps. Space paints; hold it and "
    "move to paint a line. Square brackets change the size, B is the brush, E the eraser, Control Z "
    "takes the last stroke back, Escape leaves without a change.",
    "brush_canvas": "Painting to be painted over",
    "brush_cursor": "{0} % across, {1} % down",
    "brush_empty": "Nothing is painted, so nothing could move.",
    "brush_tools": "Tools",
    "brush_brush": "Brush",
    "brush_eraser": "Eraser",
    "brush_size": "Size",
    "brush_undo": "Undo",
    "brush_clear": "Clear",
    "brush_fill": "Fill",
    "brush_invert": "Invert",
    "brush_cancel": "Cancel",
    "brush_done": "Done",
    "brush_wait": "One moment …",
    "brush_lost": "The painted region did not reach the server. Try Done again.",
    "brush_without": "{model} has no motion brush: it decides by the sentence alone what moves.",
    "p": "Awakening p",
    "p_info": "Share of distilled steps; paper: 0.6",
    "alpha": "Step size α",
    "alpha_info": "How strongly each distilled step pulls the video (Fig. 6).",
    "peak": "Peak α",
    "motion": "Motion",
    "motion_info": "How much the video model is asked to move.",
    "backend": "Video model",
    "proxy": "Proxy image model",
    "proxy_strength": "Proxy strength",
    "proxy_strength_info": "How far the proxy may leave the painting.",
    "proxy_image": "Your proxy image",
    "proxy_image_drop": "Drop the proxy image here: the same view as the painting",
    "proxy_image_alt": "The proxy image you brought",
    "drop_again": "Choose another",
    "file_failed": "This file could not be opened because of an unexpected error; details are in the "
    "server’s log. Nothing has changed: save the file again, or choose another.",
    "upload_failed": "The file did not arrive: is it larger than {limit}? Save it smaller.",
    "presets": "Presets",
    "proxy_template": "Instruction for the editor",
    "proxy_template_info": "{prompt} stands for your sentence.",
    "runs_here": "Ready.",
    "runs_at_once": "No download, ready.",
    "sheet_close": "Close",
    "group_here": "Can run here",
    "group_small": "On a GPU with up to 10 GB",
    "group_middle": "On a GPU with up to 24 GB",
    "group_large": "On a larger GPU",
    "not_here": "Not on this machine.",
    "fetch": "Download {size} ({terms})",
    "fetching": "Downloading {title}: {share} of {size}. The page stays usable meanwhile.",
    "fetched": "{title} is here now. Press Awaken to use it.",
    "fetch_nothing": "There is nothing to download: this model is here, or downloads are "
    "switched off.",
    "runs_not": "Cannot run here: {why}",
    "non_commercial": "Not for commercial use.",
    "licences": "Code {code}, weights {weights}.",
    "variant": "Variant",
    "variant_info": "The rows of Table 1. The baseline is always rendered beside it.",
    "advanced": "More settings",
    "steps": "Denoising steps",
    "guidance": "Guidance scale",
    "frames": "Frames",
    "fps": "Frames per second",
    "size": "Working size",
    "size_info": "Square root of the pixel area. Smaller is faster.",
    "re_noise": "Re-noise strength",
    "draft": "Draft",
    "draft_info": "Quicker and less exact, for trying things out: half the steps, and most layers run at "
    "some of them only. Off is the model as it is.",
    "start": "Start of the baseline",
    "start_still": "Noised still painting (published)",
    "start_noise": "Pure noise",
    "start_info": "The published code starts the baseline from a noised still video, which reduces its "
    "motion. For the miniature pure noise gives as little.",
    "re_noise_info": "1 restarts the final run from the first step, as the paper does.",
    "negative_prompt": "What should not be seen",
    "seed": "Seed",
    "seed_lock": "Keep this seed",
    "seed_lock_info": "Off: every run draws a new one.",
    "dice": "New random seed",
    "awaken": "Awaken",
    "stop": "Stop",
    "cost_own": "A run takes about {time} here.",
    "cost_own_series": "A run takes about {time} here, a series of {count} at most {all}.",
    "cost_quota": "A run uses about {time} of your GPU quota.",
    "cost_quota_series": "A run uses about {time} of your GPU quota, a series of {count} at most {all}.",
    # the curve
    "curve_none": "p = 0: no step distils; baseline and awakened differ by fusion alone.",
    "curve_summary": "{tau} of {steps} steps distil.",
    "curve_overshoots": "Some of them overshoot: a lower peak is safer.",
    "curve_diverges": "These steps are too strong and may spoil the video: lower the peak.",
    # phases and status
    "phases": "Phases of the run",
    "progress": "Progress of the run",
    "phase_reused": "(reused from an earlier run)",
    "phase_load": "Load",
    "phase_proxy": "Proxy",
    "phase_distil": "Distil",
    "phase_denoise": "Denoise",
    "phase_decode": "Decode",
    "phase_save": "Save",
    "doing_begin": "Waiting in line",
    "doing_wait": "Waiting for another run",
    "queued": "{ahead} runs before yours",
    "queued_one": "1 run before yours",
    "queued_wait": "about {time} until it begins",
    "seconds": "{count} s",
    "minutes": "{count} min",
    "doing_warm": "Starting the models",
    "doing_load": "Loading the models",
    "doing_proxy": "Making the proxy image",
    "doing_distil": "Distilling motion from painting and proxy",
    "doing_denoise": "Denoising baseline and awakened",
    "doing_decode": "Decoding both videos",
    "doing_save": "Writing the files",
    "opening": "Opening both videos",
    "waited": "waited {seconds:.0f} s",
    "step": "step {index} of {count}",
    "time_left": "about {seconds:.0f} s left",
    "state_idle": "Ready. Choose a painting, say what should move, press Awaken.",
    "state_example": "An example is playing. Awaken makes your own.",
    "state_laboratory": "Series run on this painting and these settings.",
    "state_say": "Say what should move in this picture, then press Awaken.",
    "state_press": "Press Awaken to bring this picture to life.",
    "state_done": "Done in {seconds:.1f} s, with {evaluations} network evaluations.",
    "state_drafted": "A draft: {drafted} of them reused layers of the step before.",
    "state_done_saved": "Done in {seconds:.1f} s, with {evaluations} of {scratch} network "
    "evaluations; the rest was reused from earlier runs.",
    "state_stopped": "Stopped. Nothing was lost.",
    "state_stopped_kept": "Stopped. The last result is still here.",
    "state_left": "The run was stopped while you were away.",
    "state_left_kept": "The run was stopped while you were away. The last result is still here.",
    "state_lost": "Your settings are still here: press Awaken to run them again.",
    "state_failed": "That run did not finish.",
    "state_failed_kept": "That run did not finish. The last result is still here.",
    # cards
    "card_stopped": "Stopped",
    "resume_from": "Already done and kept: {phases}. The rest can go on from there, with the same "
    "settings and seed.",
    "resume_anew": "The same settings and seed can be run again.",
    "card_left": "Stopped for the next visitor",
    "card_restarted": "The server was restarted",
    "restarted": "Your run was lost with it; nothing was wrong with your settings. They are still "
    "here: press Awaken again.",
    "card_forgotten": "That run is no longer here",
    "forgotten": "The server has deleted it. Your settings are still here: press Awaken again.",
    "card_crowded": "Too many are waiting",
    "crowded": "{count} runs are waiting already. Try again in about {minutes} min; your settings "
    "stay as they are.",
    "model_lacking": "{model} is not on this machine. It needs: {needs} Choose another model.",
    "nothing_to_repeat": "That run is no longer on the server. Press Awaken to run the present settings.",
    "no_owner": "This page could not be identified: reload it, then press Awaken again.",
    "connection_lost": "The connection is lost. The page returns to your run by itself as soon as "
    "the server answers.",
    "card_request": "Please change a setting",
    "card_model": "A model is missing",
    "card_memory": "Out of memory",
    "card_numerics": "The computation diverged",
    "card_restored": "Not everything could be restored",
    "card_quota": "Not enough GPU time",
    "card_internal": "Unexpected error",
    "card_notice": "Please note",
    "card_picture": "That picture cannot be used",
    "card_file": "That file cannot be used",
    "internal": "The run failed because of an unexpected error; details are in the server’s log. "
    "Nothing of yours was lost: try again, or change a setting.",
    "turned_away": "The run could not begin: either a setting lies outside its range, or too many "
    "others are waiting. Check More settings, or try again in a minute.",
    "starting_failed": "The models could not be started ({error}). Install the requirements "
    "(pip install -r requirements.txt) and start the page again.",
    "no_painting": "Choose a painting first: drop a picture, or take an example.",
    "too_few": "This request lacks values: it needs {wanted}, and {given} came.",
    "no_url": "Upload the picture itself: this page never fetches addresses.",
    "act_resume": "Resume",
    "act_smaller": "Retry at {size}",
    "act_miniature": "Use the miniature",
    "act_calmer": "Retry with less motion",
    "act_calm": "Lower the peak to {peak:g}",
    # explanation
    "how_title": "How it works, and when it does not",
    "how": """
**The problem.** Image-to-video models have learnt from natural footage. Shown a painting, they
often leave it still, or move the wrong thing.

**The method** trains nothing. It (1) makes a *proxy image*: the painting repainted by an image
model that knows your sentence; (2) lets the video model *distil* motion into two still videos,
one of the painting and one of the proxy, for a share *p* of the steps, with step sizes *α*; (3)
*fuses* the two along the great circle between them, from painting at the first frame to proxy at
the last; (4) adds noise again and denoises once more, looking at the painting alone. The
*baseline* is the same video model, with the same seed and final noise, without any of this: what
differs on the stage is the method.

**The miniature** is the built-in default, so that this page works on a laptop without a graphics
card: a few small networks that we trained ourselves, on procedurally painted scenes and on
public-domain paintings set in motion region by region (the one that finds what is where went on from
published weights, learnt from photographs). They have learnt which region moves, and how:
sky, water, trees, grass, boats, sun rays, and snow, rain, petals or mist in the air; smoke, fire,
waterfalls, birds and flags hardly move. They are *not* the paper’s models: they read short
English sentences and cannot make people or animals move. Where baseline and awakened look alike, that is the
honest result.

**When it fails** (Sec. 5.3 of the paper). The method can only draw out motion that the video
model has in it. Scenes that must be invented step by step, such as falling petals, stay still or
appear only in the last frames.
""",
    "how_failure": "An honest failure: “{prompt}” on {title}",
    "options": "Options of the video model",
    "proxy_options": "Options of the proxy model",
    "bad_options": 'The options must be given by name, for example {"steps": 4}.',
}
ENGLISH |= runs_en.ENGLISH
ENGLISH |= {
    f"alpha_{kind}": name
    for kind, name in zip(
        ALPHA_KINDS,
        (
            "stepwise decreasing",
            "linear decreasing",
            "stepwise increasing",
            "linear increasing",
            "constant 1 (I4VGen)",
        ),
        strict=True,
    )
}
ENGLISH |= {f"variant_{key}": name for key, name in VARIANTS.items()}
