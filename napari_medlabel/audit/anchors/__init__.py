"""Who else remembers: this computer, peers, witnesses, receipts, the code on paper."""
