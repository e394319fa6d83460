#!/bin/sh
# Writes a few inputs for each target into corpus/, as something to begin with.
set -eu
cd "$(dirname "$0")"

# seed TARGET NAME: from standard input
seed() {
	mkdir -p "corpus/$1"
	cat >"corpus/$1/$2"
}

soap() {
	seed soap "$1" <<END
<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:e="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:c="urn:dslforum-org:cwmp-1-2"><s:Header><c:ID s:mustUnderstand="1">$1</c:ID><c:HoldRequests s:mustUnderstand="1">0</c:HoldRequests></s:Header><s:Body>$2</s:Body></s:Envelope>
END
}
soap get '<c:GetParameterValues><ParameterNames e:arrayType="xsd:string[2]"><string>Device.</string><string>Device.WiFi.SSID.1.SSID</string></ParameterNames></c:GetParameterValues>'
soap set '<c:SetParameterValues><ParameterList e:arrayType="c:ParameterValueStruct[1]"><ParameterValueStruct><Name>Device.WiFi.SSID.1.SSID</Name><Value xsi:type="xsd:string">a &amp; b &#x263a;</Value></ParameterValueStruct></ParameterList><ParameterKey>k</ParameterKey></c:SetParameterValues>'
soap attributes '<c:SetParameterAttributes><ParameterList e:arrayType="c:SetParameterAttributesStruct[1]"><SetParameterAttributesStruct><Name>Device.</Name><NotificationChange>1</NotificationChange><Notification>2</Notification><AccessListChange>true</AccessListChange><AccessList e:arrayType="xsd:string[1]"><string>Subscriber</string></AccessList></SetParameterAttributesStruct></ParameterList></c:SetParameterAttributes>'
soap names '<c:GetParameterNames><ParameterPath>Device.</ParameterPath><NextLevel>1</NextLevel></c:GetParameterNames>'
soap add '<c:AddObject><ObjectName>Device.NAT.PortMapping.</ObjectName><ParameterKey/></c:AddObject>'
soap download '<c:Download><CommandKey>d</CommandKey><FileType>1 Firmware Upgrade Image</FileType><URL>https://example.com/f</URL><Username/><Password/><FileSize>0</FileSize><TargetFileName/><DelaySeconds>0</DelaySeconds><SuccessURL/><FailureURL/></c:Download>'
soap inform '<c:Inform><DeviceId><Manufacturer>m</Manufacturer><OUI>001122</OUI><ProductClass>p</ProductClass><SerialNumber>1</SerialNumber></DeviceId><Event e:arrayType="c:EventStruct[1]"><EventStruct><EventCode>1 BOOT</EventCode><CommandKey/></EventStruct></Event><MaxEnvelopes>1</MaxEnvelopes><CurrentTime>2030-01-31T12:00:00Z</CurrentTime><RetryCount>0</RetryCount><ParameterList e:arrayType="c:ParameterValueStruct[0]"/></c:Inform>'
soap informed '<c:InformResponse><MaxEnvelopes>1</MaxEnvelopes></c:InformResponse>'
soap fault '<s:Fault><faultcode>Client</faultcode><faultstring>CWMP fault</faultstring><detail><c:Fault><FaultCode>9003</FaultCode><FaultString>x</FaultString><SetParameterValuesFault><ParameterName>a</ParameterName><FaultCode>9005</FaultCode><FaultString>y</FaultString></SetParameterValuesFault></c:Fault></detail></s:Fault>'
soap schedule '<c:ScheduleInform><DelaySeconds>5</DelaySeconds><CommandKey>s</CommandKey></c:ScheduleInform>'
soap delete '<c:DeleteObject><ObjectName>Device.NAT.PortMapping.1.</ObjectName><ParameterKey>k</ParameterKey></c:DeleteObject>'
soap plain '<c:Reboot><CommandKey>r</CommandKey></c:Reboot>'

seed uci named <<'END'
package 'test'

# a comment
config interface 'lan'
	option proto 'static'
	option "ipaddr" 192.168.1.1
	list dns 'a b'
	list dns "c'd"   # the end

config rule
	option name 'it'\''s'
END
printf "config a 'b'\n\toption c 'd' ; option e \\\\\n 'f'\n" | seed uci odd

printf 'CET-1CEST,M3.5.0,M10.5.0/3\n2030-03-31T01:59:60.25Z' | seed datetime rule
printf '<+0330>-3:30<+0430>,J79/24,J263/24\n2024-02-29T23:59:59+14:00' | seed datetime julian
printf 'EST5EDT\n0001-01-01T00:00:00Z' | seed datetime names
printf 'UTC\n-2030-01-01T00:00:00' | seed datetime utc

printf 'GET /cr HTTP/1.1\r\nHost: a:7547\r\nAuthorization: Digest username="acs", realm="r", nonce="n", uri="/cr", response="00112233445566778899aabbccddeeff", qop=auth, nc=00000001, cnonce="c"\r\n\r\n' | seed http_head digest
printf 'GET http://a:7547/cr HTTP/1.0\r\n\r\n' | seed http_head absolute
printf 'POST /cr HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' | seed http_head two
printf 'GET / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n' | seed http_head chunked

printf 'Digest realm="a", nonce="b", qop="auth,auth-int", opaque="c", algorithm=SHA-256, Basic realm="d\\"e"' | seed digest offers
printf 'Digest realm="a", nonce="b", stale=TRUE, algorithm=MD5-sess, charset=UTF-8, userhash=false' | seed digest stale
printf 'Digest username="u", realm="a", nonce="b", uri="/", response="0123456789abcdef0123456789abcdef", qop=auth, nc=00000001, cnonce="c", opaque="o", algorithm=MD5' | seed digest answer
printf 'nextnonce="n", qop=auth, rspauth="0123456789abcdef0123456789abcdef", cnonce="c", nc=00000001' | seed digest info

seed config all <<'END'
config acs 'acs'
	option url 'https://acs.example.com:7547/cwmp?a=b'
	option username 'auto'
	option password '0123456789abcdef0123456789abcdef'
	option periodic_enable 'on'
	option periodic_interval '300'
	option periodic_time '2030-01-31T12:00:00Z'
	option retry_min_wait '5'
	option retry_multiplier '2000'
	option ca_file '/etc/ssl/ca.pem'
	option client_cert '/etc/a.pem'
	option verify 'no'
	option http_timeout '30'
	option max_envelope '65536'
	option compression 'gzip'
	option cwmp_version '1.2'
config cpe 'cpe'
	option listen_port '7547'
	option listen_address '::1'
	option path '/cr'
	option password 'fedcba9876543210fedcba9876543210'
	option state_dir '/etc/cwmpd'
	option log_level 'notice'
config device 'device'
	option manufacturer_oui '001122'
config inform 'inform'
	list parameter 'Device.IP.'
config notify
	option parameter 'Device.WiFi.'
	option notification 'active'
END
printf "config acs 'acs'\n\toption url 'ftp://x'\n\toption http_timeout '-1'\n\toption passwort 'x'\nconfig notify 'n'\n\toption notification 9\n" | seed config wrong

seed path rows <<'END'
Device.Info.
+Device.Info.Row.
Device.Info.Row.1.Name=third
Device.Info.Row.2.Other=Device.Info.Row.1
Device.Info.Row.1.Tags=a, b,c
Device.Info.Row.*.Name
+Device.Info.Row.1.Inner.
Device.Info.Row.1.Inner.1.URL=http://a
Device.Info.Row.1.Inner.1.Deep.
-Device.Info.Row.1.
END
seed path values <<'END'
Device.Info.When=2030-01-31T12:00:00+01:00
Device.Info.Bytes=AAEC
Device.Info.Digits=00ff
Device.Info.Big=18446744073709551615
Device.Info.Small=-5
Device.Info.Go=1
Device.Info.Secret=x
!Device.Info.Note
Device.Process.7.Broken
Device.Info.Row.1.Address=192.0.2.1
Device.Info.Row.1.MAC=00:11:22:AA:BB:CC
Device.Info.Row.1.Mode=On
Device.Info.Row.1.Enable=false
Device.Info.Row.1.Alias=a
END

# The place, and the options: 43 with sub-options and as a bare URL, 125, 17 alone and among others.
printf '\000\001\024http://acs.example/x\002\004prov\003\00260\004\0041500\377' | seed dhcp_options sub
printf '\000https://acs.example:7547/cwmp\000' | seed dhcp_options bare
printf '\001\000\000\015\351\042\013\024http://acs.example/x\014\004prov\015\00260' | seed dhcp_options vendor
printf '\002\000\000\015\351\000\001\000\024http://acs.example/x\000\002\000\004prov' | seed dhcp_options six
printf '\003\000\021\000\034\000\000\015\351\000\001\000\024http://acs.example/x' | seed dhcp_options among

seed vendor led <<'END'
{
  "Device.X_EXAMPLE_Led.{i}.": {
    "instances": {"uci": "system.@led"},
    "parameters": {
      "Name": {"type": "string", "access": "ro", "uci": "name"},
      "Trigger": {"type": "string", "access": "rw", "uci": "trigger", "enum": ["none", "netdev", "timer"]},
      "Bright": {"type": "unsignedInt", "access": "ro", "file": "/sys/class/leds/{uci:sysfs}/brightness"}
    }
  },
  "Device.X_EXAMPLE_Info.": {
    "parameters": {
      "Load": {"type": "string", "access": "ro", "ubus": "system.info", "path": "/load/0"},
      "Word": {"type": "string", "access": "rw", "uci": "example.main.word", "exec": ["/usr/bin/word", "get"]}
    }
  }
}
END

# How it is split, and then a call; an answer with every type in it, and its status.
printf '\077\000\005\000\007\022\064\126\170\000\000\000\050\003\000\000\010\022\064\126\170\004\000\000\012\142\157\141\162\144\000\000\000\007\000\000\020\207\000\000\011\000\001\141\000\001\000\000\000' | seed ubus call
printf '\377\000\002\000\007\000\000\000\001\000\000\000\200\003\000\000\010\000\000\000\001\007\000\000\164\200\000\000\010\000\001\156\000\203\000\000\013\000\001\163\000\150\151\000\000\204\000\000\020\000\001\154\000\000\000\000\001\000\000\000\000\210\000\000\020\000\001\144\000\077\340\000\000\000\000\000\000\201\000\000\034\000\001\141\000\205\000\000\014\000\000\000\000\377\377\377\376\200\000\000\010\000\000\000\000\202\000\000\024\000\001\164\000\206\000\000\012\000\001\151\000\000\007\000\000\207\000\000\011\000\001\142\000\001\000\000\000\000\001\000\007\000\000\000\001\000\000\000\024\001\000\000\010\000\000\000\000\003\000\000\010\000\000\000\001' | seed ubus answer
printf "package network\n\nconfig interface 'lan'\n\tlist dns '192.0.2.1'\n\npackage empty\n" | seed uci export
mkdir -p corpus/archive etc/config
printf "config a 'b'\n" >etc/config/network
tar --format=ustar -cf corpus/archive/ustar etc
tar --format=gnu -cf corpus/archive/gnu etc
tar --format=posix -cf corpus/archive/posix etc
rm -r etc

seed udp_request plain <<'END'
GET http://10.1.1.1:8080?ts=1120673700&id=1234&un=acs&cn=XTGRWIPC6D3IPXS3&sig=3545F7B5820D76A3DF45A3A509DA8D8C38F13512 HTTP/1.1
Host: 10.1.1.1:8080

END
printf 'ts=1&id=7&un=acs&cn=abc&sig=00' | seed udp_request arguments
# A length, a port, and a datagram of that length each: an answer, an error.
printf '\040\000\001\001\000\0140123456789abcdef\000\001\000\010\000\001\200\125\300\000\002\001' | seed stun answer
printf '\034\000\001\021\000\0100123456789abcdef\000\011\000\004\000\000\004\001' | seed stun unauthorized
printf '\006HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc' | seed speed none
printf 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n' | seed speed chunked
printf 'HTTP/1.0 200 OK\nContent-Length: 1\nContent-Length: 1\n\na' | seed speed length
printf '\000\000\000\007\000\000\000\001\000\001\000\000\000\001\000\002\000\000\000\000\000\000\000\001' | seed speed echo
xmpp="<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='example.com' id='1' version='1.0'>"
seed xmpp_stream features <<EOF
$xmpp<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features><challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>cj1ub25jZXgscz1RU1hDUis2c2VrOGJmOTIsaT00MDk2</challenge><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>dj1ybUY5cHFWOFM3c3VBb1pXamE0ZEpSa0ZzS1E9</success>
EOF
seed xmpp_stream request <<EOF
$xmpp<iq type='get' id='1' from='acs@example.com/a'><connectionRequest xmlns='urn:broadband-forum-org:cwmp:xmppConnReq-1-0'><username>acs</username><password><![CDATA[x]]></password></connectionRequest></iq> <presence/></stream:stream>
EOF
seed xmpp_stream bound <<EOF
$xmpp<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>cpe@example.com/r</jid></bind></iq><iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq><stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
EOF
printf '\300\014\000\041\000\001\000\000\000\074\000\013\000\005\000\007\024\146\002x1\300\036' | seed xmpp_stream records
# An alias with an address behind it; the name of an address; a reply to a ping.
printf '\022\064\205\200\000\001\000\002\000\000\000\000\003www\007example\000\000\001\000\001\300\014\000\005\000\001\000\000\000\074\000\007\004host\300\020\300\051\000\001\000\001\000\000\000\074\000\004\300\000\002\001' | seed dns alias
printf '\000\007\201\200\000\001\000\001\000\000\000\000\0011\0012\0010\003192\007in-addr\004arpa\000\000\014\000\001\300\014\000\014\000\001\000\000\000\000\000\007\001r\003net\000' | seed dns pointer
printf '\000\000\343\303\022\064\000\007\000\001\002' | seed dns ping
