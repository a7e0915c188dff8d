"""What records share: with each other, with an evaluation set, with what was trained on before."""
