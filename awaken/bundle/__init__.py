"""A bundle: one zip with everything of a run that somebody may want to show, keep or make again.

    baseline.mp4 awakened.mp4 side_by_side.mp4 wipe.mp4 stacked.mp4    loop.gif loop.webp
    proxy.png painting.png mask.png    settings.json reproduce.sh    ATTRIBUTION.txt bundle.json

``bundle.json`` says what the picture is called and how the film runs, so that ``/present`` needs
nothing else. ``writer`` makes bundles; ``reader`` takes them, and settings, from anybody.
"""
