"""Evidence: does a selection train a better model than chance does?

The pool is split by seed; a part is held out as dev before depth is ranked and before anything is
selected. Students are trained on selections from the rest, and their loss on dev is measured: over
all tokens (micro) and as the mean over the domains (macro). Three results come of it: curves of
loss against budget by method; a regression of loss on coverage, reach and depth over subsets that
no method has selected; and advice, the knobs of ILA with the lowest loss, tried on a split that had
no part in choosing them.

In the order in which a study goes: settings, variant (which curve, and which place on it), plan
(who is trained), lessons (on what), students (how), journal (what is finished), regression,
advice, and findings; run puts them together. tables sets several studies side by side, and advised
hands the advice of one to a selection.
"""
