/// What `nft --stateless list` shows of a drone's table with a cluster, and of a full Linux's.
let expectedDrone = """
  table ip drone {
  	ct helper tftp {
  		type "tftp" protocol udp
  		l3proto ip
  	}

  	set icmp_errors {
  		type icmp_type
  		flags constant
  		elements = { destination-unreachable,
  			     time-exceeded,
  			     parameter-problem }
  	}

  	set members {
  		type ipv4_addr
  		size 65536
  	}

  	set callers {
  		type ipv4_addr
  		size 1024
  		flags dynamic,timeout
  		timeout 1m
  	}

  	set member_callers {
  		type ipv4_addr
  		size 65536
  		flags dynamic,timeout
  		timeout 1m
  	}

  	chain input {
  		type filter hook input priority filter; policy drop;
  		iif "lo" accept
  		jump cluster_in
  		ct state established accept
  		ct state related icmp type @icmp_errors accept comment "path MTU and other errors"
  		ct state related ct helper "tftp" accept comment "TFTP transfer"
  		udp sport 67 udp dport 68 accept comment "DHCP, BOOTP"
  		jump allowed
  		limit rate 30/minute burst 10 packets log prefix "drop in " level info
  	}

  	chain output {
  		type filter hook output priority filter; policy drop;
  		oif "lo" accept
  		jump cluster_out
  		ct state established accept
  		ct state related icmp type @icmp_errors accept comment "errors"
  		udp sport 68 udp dport 67 accept comment "DHCP, BOOTP"
  		udp dport 53 accept comment "DNS"
  		tcp dport 53 accept comment "DNS"
  		udp dport 123 accept comment "NTP"
  		udp dport 69 ct helper set "tftp" accept comment "TFTP"
  		icmp type echo-request accept comment "ping"
  		jump log_out
  		limit rate 30/minute burst 10 packets log prefix "drop out " level info
  	}

  	chain forward {
  		type filter hook forward priority filter; policy drop;
  		limit rate 30/minute burst 10 packets log prefix "drop forward " level info
  	}

  	chain log_out {
  	}

  	chain allowed {
  	}

  	chain callers_in {
  		ip saddr @members update @member_callers { ip saddr timeout 1m limit rate over 600/minute burst 200 packets } drop comment "each member"
  		ip saddr @members accept
  		update @callers { ip saddr timeout 1m limit rate over 60/minute burst 20 packets } drop comment "each caller"
  		limit rate 1000/second burst 1000 packets accept comment "all callers"
  		drop
  	}

  	chain searching {
  	}

  	chain metrics {
  	}

  	chain serving_in {
  	}

  	chain serving_out {
  	}

  	chain cluster_in {
  		meta ipsec exists ip saddr @members accept comment "members"
  		meta l4proto esp accept comment "ESP"
  		tcp dport 3278 tcp flags syn / fin,syn,rst,ack jump callers_in
  		tcp dport 3278 accept comment "control"
  		ip daddr 239.192.0.1 udp dport 2727 limit rate 20/second burst 40 packets accept comment "discovery"
  		meta l4proto igmp accept comment "IGMP"
  		icmp type destination-unreachable icmp code frag-needed @th,136,8 0x32 @th,192,32 @members accept comment "path MTU of ESP"
  		icmp type destination-unreachable icmp code frag-needed @th,136,8 0x6 @th,224,16 0xcce accept comment "path MTU of control"
  		ip saddr @members tcp sport 3278 tcp flags syn / fin,syn,rst,ack drop comment "nobody calls from there"
  		jump searching
  		jump metrics
  		jump serving_in
  	}

  	chain cluster_out {
  		ip daddr @members accept comment "members"
  		meta l4proto esp accept comment "ESP"
  		tcp dport 3278 accept comment "control"
  		tcp sport 3278 accept comment "control"
  		ip daddr 239.192.0.1 udp dport 2727 accept comment "discovery"
  		udp sport 2727 udp dport 2728 accept comment "discovery"
  		meta l4proto igmp accept comment "IGMP"
  		jump serving_out
  	}

  	chain untracked_in {
  		type filter hook prerouting priority raw; policy accept;
  		tcp dport 3278 notrack
  		meta l4proto esp notrack
  		meta ipsec exists ip saddr @members notrack
  	}

  	chain untracked_out {
  		type filter hook output priority raw; policy accept;
  		tcp sport 3278 notrack
  		tcp dport 3278 return
  		meta l4proto esp notrack
  		ip daddr @members notrack
  	}

  	chain leaving {
  		rt ipsec exists accept
  		meta l4proto esp accept
  		tcp dport 3278 accept
  		tcp sport 3278 accept
  		udp sport 2727 udp dport 2728 accept
  		jump serving_out
  		limit rate 30/minute burst 10 packets log prefix "drop clear " level info
  		drop
  	}

  	chain guard {
  		type filter hook postrouting priority filter; policy accept;
  		ip daddr @members jump leaving
  	}
  }
  """

let expectedHost = """
  table inet tyd {
  	set members {
  		type ipv4_addr
  		size 65536
  	}

  	set callers {
  		type ipv4_addr
  		size 1024
  		flags dynamic,timeout
  		timeout 1m
  	}

  	set member_callers {
  		type ipv4_addr
  		size 65536
  		flags dynamic,timeout
  		timeout 1m
  	}

  	set others {
  		type ipv4_addr
  		size 65536
  	}

  	set others6 {
  		type ipv6_addr
  		size 65536
  	}

  	chain callers_in {
  		ip saddr @members update @member_callers { ip saddr timeout 1m limit rate over 600/minute burst 200 packets } drop comment "each member"
  		ip saddr @members accept
  		update @callers { ip saddr timeout 1m limit rate over 60/minute burst 20 packets } drop comment "each caller"
  		limit rate 1000/second burst 1000 packets accept comment "all callers"
  		drop
  	}

  	chain input {
  		type filter hook input priority filter; policy accept;
  		iif "lo" accept
  		meta ipsec exists ip saddr @members accept comment "members"
  		meta l4proto esp accept comment "ESP"
  		tcp dport 3278 tcp flags syn / fin,syn,rst,ack jump callers_in
  		tcp dport 3278 accept comment "control"
  		ip daddr 239.192.0.1 udp dport 2727 limit rate 20/second burst 40 packets accept comment "discovery"
  		meta nfproto ipv4 meta l4proto igmp accept comment "IGMP"
  		ip saddr @members tcp sport 3278 tcp flags syn / fin,syn,rst,ack drop comment "nobody calls from there"
  		tcp sport 3278 accept comment "control"
  		udp sport 2727 udp dport 2728 accept comment "discovery"
  		udp dport 3278 drop comment "membership without ESP"
  		ip saddr @members drop comment "members without ESP"
  		ip saddr @others drop comment "other addresses of members"
  		icmpv6 type 133-137 accept comment "what ARP is for IPv4"
  		ip6 saddr @others6 drop comment "other addresses of members"
  	}

  	chain output {
  		type filter hook output priority filter; policy accept;
  		oif "lo" accept
  		udp sport 3278 meta skuid != 0 drop comment "only root speaks for this node"
  		ip daddr @others drop comment "other addresses of members"
  		icmpv6 type 133-137 accept comment "what ARP is for IPv4"
  		ip6 daddr @others6 drop comment "other addresses of members"
  	}

  	chain forward {
  		type filter hook forward priority filter; policy accept;
  		ip daddr @members udp sport 3278 drop comment "only root speaks for this node"
  		ip daddr @members udp dport 3278 drop comment "only root speaks for this node"
  	}

  	chain leaving {
  		iif != 0 fib saddr type != local return comment "on its way through"
  		rt ipsec exists accept
  		meta l4proto esp accept
  		tcp dport 3278 accept
  		tcp sport 3278 accept
  		udp sport 2727 udp dport 2728 accept
  		limit rate 30/minute burst 10 packets log prefix "drop clear " level info
  		drop
  	}

  	chain guard {
  		type filter hook postrouting priority 200; policy accept;
  		ip daddr @members jump leaving
  	}
  }
  """
