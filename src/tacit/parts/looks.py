"""How images are seen again in several papers alike."""

COLOUR = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.2, "hue": 0.1}

# Two views: the first always blurred, the second seldom, and solarised now and then (BYOL, arXiv:2006.07733, table 6)
ASYMMETRIC = ({**COLOUR, "blur": 1.0}, {**COLOUR, "blur": 0.1, "solarise": 0.2})

EVEN_COLOUR = {**COLOUR, "saturation": 0.4}
ONE_LOOK = {"crop": (0.2, 1.0), **EVEN_COLOUR}  # MoCo v2 (arXiv:2003.04297) and who begins with its released code
