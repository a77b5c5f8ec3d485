"""The pictures of a run, or of several side by side, as a page that opens offline: data in, one folder out.

`write` is the door; `content` says what is shown of each sample, `summary` what stands on top, `page` puts it together
with the CSS and JavaScript of `assets/`. All words from outside pass `harmless` first.
"""
