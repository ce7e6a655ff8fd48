"""Speed side by side: the detect process, a bare consumer and a stock Faust agent, in one run."""
