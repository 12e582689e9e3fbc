"""Addresses and their spellings, for every test of what we may call."""

_PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255
128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255
192.169.0.0 198.17.255.255 198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255
2001:200:: 2001:4860:4860::8888 2003:: 2606:2800:220:1::1 2a00:1450:4001::1 3ffd:ffff::1
"""

_NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.9.9.9 127.255.255.255 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.9 192.0.0.170 192.0.0.192 192.0.2.1 192.31.196.1
192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255
198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.254 255.255.255.255
:: ::1 ::2 ::7f00:1 ::127.0.0.1 ::a9fe:a9fe ::ffff:0:0 ::ffff:7f00:1 ::ffff:127.0.0.1
::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8
64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b::8.8.8.8 64:ff9b:1::1
64:ff9b:1:ffff::10.0.0.1 100::1 100:0:0:1::1 200::1 1fff:ffff::1 2001::1
2001:0:7f00:1:: 2001:1::1 2001:1::3 2001:2::1 2001:3::1 2001:4:112::1 2001:5::1 2001:10::1
2001:20::1 2001:30::1 2001:1ff:ffff::1 2001:db8::1 2001:db8:ffff::1 2002:: 2002:7f00:1::1
2002:a9fe:a9fe:: 2002:808:808::1 2620:4f:8000::1 3ffe::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1
8000::1 fc00::1 fd00:ec2::254 fd20:ce::254 fdff::1 fe00::1 fe80::1 fe80::a9fe:a9fe febf::1
fec0::1 feff::1 ff00::1 ff02::1 ff0e::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
"""

PUBLIC = _PUBLIC.split()
NOT_PUBLIC = _NOT_PUBLIC.split()

SPELLINGS = [
    # 127.0.0.1 and 169.254.169.254 as one system or another reads them.
    "2130706433",
    "2852039166",
    "0x7f000001",
    "0x7f.1",
    "0X7F.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "017700000001",
    "0177.0.0.1",
    "0177.1",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "127.0.0.01",
    "127.000.000.001",
    "127.0.0.0x1",
    "127.0.0.1e0",
    "127..0.1",
    "0",
    "0.0",
    "0xa9fea9fe",
    "0xa9.0xfe.43518",
    "0251.0376.0251.0376",
    "169.254.43518",
    "425.510.425.510",
    "93.184.216.34.",
    "4294967297",
    "\u0663.\u0663.\u0663.\u0663",
    "127\u30020\u30020\u30021",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "127.0.0.1%00",
    "127.0.0.1%2f.example.com",
    # Names that an IDNA mapping, or a careless resolver, would make another of.
    "localhost.",
    "LOCALHOST",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
    "loca\u00adlhost.example.com",
    "local\u200dhost.example.com",
    "example\u3002com",
    "example.com\uff0f.evil.example",
    "\u212aexample.com",
    "example\u017f.com",
    "b\u00fccher.example",
    "example..com",
    ".example.com",
    "example.com..",
    "-.example.com",
    "exa~mple.com",
    "exa*mple.com",
    "a.b.1",
    "a.0x7f",
    "a" * 64 + ".example.com",
    "a." * 130 + "com",
    "a." * 50_000 + "com",
    "metadata",
    "metadata.google.internal",
    "metadata.google.internal.",
    "instance-data.ec2.internal",
    "router.home.arpa",
    "printer.local",
    "x.localhost",
    "x.localdomain",
    # Brackets, zones and versions to come.
    "[]",
    "[::1",
    "::1]",
    "::1",
    "[::1]]",
    "[[::1]]",
    "[::1].example.com",
    "[example.com]",
    "[127.0.0.1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[::1%25lo]",
    "[2606:2800:220:1::1%25eth0]",
    "[2606:2800:220:1::1%2]",
    "[v1.fe80::a+en1]",
    "[::ffff:7f00:1]",
    "[::ffff:0x7f.1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:ffff:7f00:0001]",
    "[2606:2800:220:1:0:0:0:0:1]",
    # Who else may be meant.
    "user@example.com",
    "user:word@example.com",
    "@example.com",
    ":@example.com",
    "example.com@127.0.0.1",
    "example.com%40127.0.0.1",
    "127.0.0.1\\@example.com",
    "example.com\\@127.0.0.1",
    "example.com\\.evil.example",
    "127.0.0.1#@example.com",
    "127.0.0.1?@example.com",
    "example.com, 127.0.0.1",
    "example.com;127.0.0.1",
    # What a parser drops or splits at.
    "127.0.0.1\t",
    "exam\tple.com",
    "exam\nple.com",
    "exam\r\nple.com",
    "example.com\x00",
    "example.com\x7f",
    "example.com\x85",
    "example.com\u2028",
    "exa mple.com",
    "example.com%0d%0ahost:%20evil",
    # Ports.
    "example.com:",
    "example.com:0",
    "example.com:80",
    "example.com:22",
    "example.com:6379",
    "example.com:8443",
    "example.com:0443x",
    "example.com:-443",
    "example.com:+443",
    "example.com: 443",
    "example.com:\uff14\uff14\uff13",
    "example.com:65979",
    "example.com:443:443",
    "example.com:http",
]
"""Hosts, with ports, that no webhook may go to: some hide another host, some are none."""
