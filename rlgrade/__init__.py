"""What the booklet's test cells call, and what nbgrader is configured with.

`check` asks an answer and says what is wrong with it; `instances` draws random and individual instances;
`certificates` finds values without the algorithms that the exercises ask for; `formula` reads a formula given as
text; `sets` holds, chapter by chapter, the instances and the misconceptions of a problem set. `tickets` decides whose
instances an exam asks; `exam` and `roster` are the commands of whoever gives it. `preprocessors` is for
`nbgrader_config.py` only. Importing `rlgrade` imports none of them.
"""
