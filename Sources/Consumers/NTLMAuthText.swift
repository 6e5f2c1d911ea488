/// What `ntlm-auth` tells about its own use.
enum NTLMAuthText {
    static let usage = """
        Usage: ntlm_auth --username=NAME [--domain=NAME] [--workstation=NAME]
                 [--challenge=HEX [--nt-response=HEX] [--lm-response=HEX] | --password=TEXT]
                 [--request-nt-key] [--request-lm-key] [--allow-mschapv2]
                 [--require-membership-of=SID|NAME] [--config FILE]
               ntlm_auth --helper-protocol=NAME [--require-membership-of=SID|NAME]

        """

    static let help =
        usage + """

            Validates a logon at a domain controller, through the running agent.

              --helper-protocol=NAME   serve a caller line by line: squid-2.4-basic,
                                       squid-2.5-basic, squid-2.5-ntlmssp, gss-spnego or
                                       ntlm-server-1
              --username=NAME          the user, also as DOMAIN\\user or user@realm
              --domain=NAME            the user's domain
              --workstation=NAME       the computer that the user logs on from
              --challenge=HEX          the challenge, 8 bytes
              --nt-response=HEX        the NTLM, MS-CHAP or NTLMv2 response to it
              --lm-response=HEX        the LM response to it
              --password=TEXT          the password; read from standard input otherwise
              --request-nt-key         print the user's session key
              --request-lm-key         print the LM session key
              --allow-mschapv2         say that the response is one of MS-CHAPv2
              --require-membership-of=SID|NAME
                                       refuse users that do not belong to this group, named as
                                       DOMAIN\\group; or to none of several, between commas
              --config FILE            the agent's configuration
              -V, --version            print the version
              -?, --help               print this

            Exit code 0 after a success, 1 otherwise. A key is printed as `NT_KEY: ` and 32 digits,
            a failure as its text and status. Options of Samba's tool that have no meaning here are
            accepted.

            """
}
