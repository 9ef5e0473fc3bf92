"""An oracle of what the best plan is (contract section 4): written from the contract's words, no code of the engine.

`reading` turns a document into value, targets, bands, who acts and the rules of each rung; `measure` counts given
orders; `brute` tries every plan of small portfolios; `textbook` solves a plain mixed-integer model of larger ones;
`portfolios` draws random documents; `versus` puts the engine's plan beside the oracle's.

Readings: where the contract leaves a choice, the most literal one is taken, or the one that makes sense of the rest.

1.  Cash: D(cash) = D(max(0, K − after)) + D'(max(0, after + left − K)), D' with no bracket above 0.15: both parts
    count where after < K < after + left (an either/or would jump, and not be convex).
2.  A gain is what a sale brings less its commission and sales tax, less the average cost (`GAIN_NET_OF_COSTS`). Both
    legs are at the plan's rate unless the holding gives `cost_fx`. Losses of funds count 0 for each order.
3.  A limit's side is broken where it is exceeded before trading by more than 1e-9 of V; min, max and each side of a
    group are limits of their own. All broken limits count in the objective, those of locked or disabled ones too.
4.  A section acts for a band or limit of its instruments (a group's limit: the sections of its members), not for the
    sum of its weights. Frozen instruments (disabled, or every row locked) are no reason.
5.  Holdings without a target have the band [0, 0], whatever the rule `all` says; their minimum trade is that rule's.
    They do not act with `buy-only`: no share of them can be sold. A target of weight 0 has its section's band around
    0. A section without bands: [0, V].
6.  A counterpart is what is outside neither its band nor a limit, before trading; what is frozen and outside is none.
7.  Target 0 or none: D = 2x with `edge` and `half` too. Other instruments, counterparts included: ω·(D(beyond edge)
    + 0.05·D(x to T)).
8.  `half`: the edges are half way between the target and each edge of the band (the lower one cut off at 0).
9.  E: the breached are unfrozen targets outside their (whole) band; distances from the destination's edges; holdings
    without target with all their value unless frozen; cash of all accounts before trading, cash flow included. With
    E ≥ 0 a breached one that is over sells at most ⌈(x − edge)/lot⌉ lots net, or what mends or pays for a limit. No
    exception for minimum trades. With fractions: exactly to the edge.
10. Orders: net lots over all accounts. Towards the target at most ⌈way/lot⌉, or ⌈minimum/lot⌉ where the minimum trade
    is more than the way; never further off than before, that is at most ⌊2·way/lot⌋. With fractions: way, or minimum,
    at most 2·way. On its target: none. To mend a limit: besides, a member may go as far as makes up for all that is
    outside (the lot that crosses, or the minimum trade, included); where a minimum is broken, sales of what is not a
    member may pay for it as far.
11. An explicit `min_trade` holds on every rung; one left out of the rule does not hold for purchases on rung 1. A full
    sale is one of all that is unlocked in that account.
12. Cash falls short where conversions alone cannot keep every floor (buffer in base currency in each account, 0 in
    others). Then rung 1 only sells, and is climbed even where nothing acts. `always`: rungs 2 and 3, then 1.
13. "The best before it" is the plan taken so far. Outside counts the money beyond the band, beyond each limit and the
    cash below its band, added up. Rung 1 raising: ω = 0.05 for all instruments, 1 for cash.
14. Without a section that acts, cash below its band: rungs 1 and 3, with or without a cash flow.
15. A lock holds the symbol in its account: no sale of the row and no purchase there; other accounts are free.
16. Risk cap: a plan that buys risk assets in the account leaves at most cap × the account's value after the plan (what
    left it at once taken off) in risk assets; a plan that buys none is free.
17. Turnover: purchases and sales together, without conversions. A minimum fee is in the instrument's currency.
18. Withdrawal: an account reaches as far as its base cash above the buffer plus 99 % of foreign cash and unlocked
    holdings (the rest is for costs); what is left over falls to the first.
19. Nothing to do (no rung): measured as rung 1 measures it.
20. Without declared accounts there is one purse, and labels of holdings are not looked at.
21. Conversions: between two currencies of an account, as little as keeps every floor.
"""
