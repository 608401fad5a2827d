package monitor

import (
	"sync"
	"time"
)

// local counts where nothing better is to be had.
type local struct {
	mu     sync.Mutex
	counts map[string]*count
}

type count struct {
	start time.Time
	n     int
}

// most principals that are counted at a time. Beyond it those go whose window is over, and then all.
const most = 10_000

func (l *local) add(who string, now time.Time, window time.Duration) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts[who]
	if c == nil || now.Sub(c.start) >= window {
		if len(l.counts) >= most {
			for key, old := range l.counts {
				if now.Sub(old.start) >= window {
					delete(l.counts, key)
				}
			}
		}
		if len(l.counts) >= most {
			clear(l.counts)
		}
		c = &count{start: now}
		l.counts[who] = c
	}
	c.n++
	return c.n
}
