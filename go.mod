module github.com/partywall/partywall

go 1.26
