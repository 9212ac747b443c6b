"""The page's parts. Only this package and ``app.py`` import gradio; nothing here imports torch."""
