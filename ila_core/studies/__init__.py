"""Evidence: does a selection train a better model than chance does?

The pool is split by seed; a part is held out as dev before depth is ranked and before anything is
selected. Students are trained on selections from the rest, and their loss on dev is measured: over
all tokens (micro) and as the mean over the domains (macro). Two results come of it: curves of loss
against budget by method, and a regression of loss on coverage and depth over subsets that no
method has selected.

In the order in which a study goes: settings, variant (which curve, and which place on it), plan
(who is trained), lessons (on what), students (how), journal (what is finished), regression, and
findings; run puts them together.
"""
