"""An oracle of what the best plan is (contract section 4): written from the contract's words, no code of the engine.

`reading` turns a document into value, targets, bands, who acts and the rules of each rung; `measure` counts given
orders; `brute` tries every plan of small portfolios; `textbook` solves a plain mixed-integer model of larger ones;
`portfolios` draws random documents; `versus` puts the engine's plan beside the oracle's. `goals` says what targets name
(instruments, sets of equivalents, classes of a tree) and who may be bought; `goal_portfolios` draws documents of them.

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

Of goals (22 to 33); where a reading above says instrument, the goal is meant for what is of targets (bands, limits,
reasons, edges, D), its members for what is of orders:

22. Equivalents of a class goal have the same exposures to every goal, leaves and parents. In an account the first
    that it may hold and that is not locked there is bought: what it holds before what it does not, then document
    order.
23. A goal is simple where no member is in another leaf; parents join nothing. Its net, in money of exposure over
    members and accounts, is not below 0 under the target, nor above 0 over it; and no member is sold (bought) net
    over the accounts either: what is held in other members is sold only if the goal is over.
24. Past the target: for each member bought max(way, exposure · minimum) and less than a lot's exposure more, at most
    2·way; the largest of those among the members bought. To mend a limit likewise, the way being what makes up for
    it.
25. What has a part in a parent but in no leaf is never bought, counts nowhere, and is sold where the parent may sell.
    An instrument's goals are its leaves and parents: for the rungs' rights, for sections, for `enabled`.
26. Minimum trade: of the section of the leaf that a member has most exposure to.
27. `consolidate`: what is to go (unlocked rows of members that may not be bought there, where another may) acts in the
    section of holdings without a target, counts as outside with all that is left of it, as 2·ω·x more in the measure,
    and in E as such holdings do. Breach, ω, D and outside are of the goal's full value; direction, range and its part
    in E of the value without it.
28. Joined goals (a member is in several leaves): no rule on orders, E's included, but that nothing is traded in them
    where each is on its target, no limit is broken and no money is raised.
29. E and drift count leaves; outside and reasons parents too.
30. `prefer`: keys are an instrument's symbol, the leaf it has most exposure to, or classes with more than half of its
    known exposure, the deepest first. The first place that names the account or its type gives the rank. Without
    declared accounts it is not looked at. Money bought is without charges.
31. A risk asset is what `asset_class` or `class` puts under another root than bond or cash; with an `exposure` alone,
    what is not known to be bonds and cash throughout.
32. A group may name goals, or symbols with all their value; a symbol's goals are those it is a reason for, and
    breached by.
33. A goal is locked where something is held of its members and all of that is locked. A member of a disabled goal is
    not traded.

Of the limits of `risk`:

34. They are on what is held directly: leveraged funds together below 10 %, exposure (each weight times its leverage) at
    most 120 %, a company's share at most 10 %. One that is broken, and that going to the targets would mend (members of
    a goal keep their proportions, what is frozen stays), is an acting cause of the sections that hold more than their
    targets of what breaks it. It is then a limit of those sections whatever else they act for: its goals are breached,
    and what is beyond it, or beyond what targets ask for, is outside; else a plan for another cause would leave it to
    the day after. Of exposure that is what the leveraged ones may weigh where everything else is on its target. It is
    none of the limits of the objective and of reading 10: nothing is traded away from a target for it. What is to be
    sold for a withdrawal counts as one's own in exposure today.
"""
