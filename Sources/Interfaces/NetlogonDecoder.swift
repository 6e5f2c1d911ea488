import RPC
import Wire

/// What a plain Netlogon stub says, for people: names, counts and statuses, never a secret.
package enum NetlogonDecoder {
    /// The procedure's name, or its number.
    package static func name(_ opnum: UInt16) -> String {
        switch opnum {
        case NetrLogonSamLogon.opnum: "NetrLogonSamLogon"
        case NetrLogonSamLogoff.opnum: "NetrLogonSamLogoff"
        case NetrServerReqChallenge.opnum: "NetrServerReqChallenge"
        case NetrServerAuthenticate.opnum: "NetrServerAuthenticate"
        case NetrServerPasswordSet.opnum: "NetrServerPasswordSet"
        case NetrServerAuthenticate2.opnum: "NetrServerAuthenticate2"
        case NetrLogonGetCapabilities.opnum: "NetrLogonGetCapabilities"
        case NetrServerAuthenticate3.opnum: "NetrServerAuthenticate3"
        case NetrLogonGetDomainInfo.opnum: "NetrLogonGetDomainInfo"
        case NetrServerPasswordSet2.opnum: "NetrServerPasswordSet2"
        case NetrLogonSamLogonEx.opnum: "NetrLogonSamLogonEx"
        case NetrLogonSamLogonWithFlags.opnum: "NetrLogonSamLogonWithFlags"
        case _: "Netlogon opnum \(opnum)"
        }
    }

    /// The request in the stub that `reader` is over, or nil for a procedure that is not known.
    package static func request(
        _ opnum: UInt16, _ reader: borrowing WireReader
    ) throws(WireError) -> String? {
        var stub = NDRReader(copy reader)
        switch opnum {
        case NetrServerReqChallenge.opnum:
            let call = try NetrServerReqChallenge.Request(parsing: &stub)
            return "from \(call.computerName)"
        case NetrServerAuthenticate.opnum:
            return try NetrServerAuthenticate.Request(parsing: &stub).claim.description
        case NetrServerAuthenticate2.opnum, NetrServerAuthenticate3.opnum:
            let call = try NegotiatingChannelClaim(parsing: &stub)
            return "\(call.claim.description) flags 0x\(Hex.string(call.negotiateFlags))"
        case NetrLogonSamLogon.opnum:
            return logon(try NetrLogonSamLogon.Request(parsing: &stub))
        case NetrLogonSamLogonWithFlags.opnum:
            return logon(try NetrLogonSamLogonWithFlags.Request(parsing: &stub).logon)
        case NetrLogonSamLogonEx.opnum:
            let call = try NetrLogonSamLogonEx.Request(parsing: &stub)
            return "from \(call.computerName ?? "") level \(call.validationLevel.rawValue), "
                + call.logonInformation.description
        case NetrLogonSamLogoff.opnum:
            return try NetrLogonSamLogoff.Request(parsing: &stub).logonInformation.description
        case NetrServerPasswordSet.opnum:
            return try NetrServerPasswordSet.Request(parsing: &stub).account.description
        case NetrServerPasswordSet2.opnum:
            return try NetrServerPasswordSet2.Request(parsing: &stub).account.description
        case NetrLogonGetCapabilities.opnum:
            let call = try NetrLogonGetCapabilities.Request(parsing: &stub)
            return "from \(call.computerName ?? "") level \(call.queryLevel)"
        case NetrLogonGetDomainInfo.opnum:
            let call = try NetrLogonGetDomainInfo.Request(parsing: &stub)
            return "from \(call.computerName ?? ""), \(call.workstation?.dnsHostName ?? "")"
        case _: return nil
        }
    }

    /// The response in the stub that `reader` is over, or nil for a procedure that is not known.
    package static func response(
        _ opnum: UInt16, _ reader: borrowing WireReader
    ) throws(WireError) -> String? {
        var stub = NDRReader(copy reader)
        switch opnum {
        case NetrServerReqChallenge.opnum:
            return try NetrServerReqChallenge.Response(parsing: &stub).status.name
        case NetrServerAuthenticate.opnum:
            return try NetrServerAuthenticate.Response(parsing: &stub).status.name
        case NetrServerAuthenticate2.opnum:
            let call = try NetrServerAuthenticate2.Response(parsing: &stub)
            return "\(call.status.name) flags 0x\(Hex.string(call.negotiateFlags))"
        case NetrServerAuthenticate3.opnum:
            let call = try NetrServerAuthenticate3.Response(parsing: &stub)
            return "\(call.status.name) flags 0x\(Hex.string(call.negotiateFlags))"
                + " account \(call.accountRID)"
        case NetrLogonSamLogon.opnum:
            let call = try NetrLogonSamLogon.Response(parsing: &stub)
            return validation(call.validation, call.status)
        case NetrLogonSamLogonWithFlags.opnum:
            let call = try NetrLogonSamLogonWithFlags.Response(parsing: &stub)
            return validation(call.validation, call.status)
        case NetrLogonSamLogonEx.opnum:
            let call = try NetrLogonSamLogonEx.Response(parsing: &stub)
            return validation(call.validation, call.status)
        case NetrLogonSamLogoff.opnum:
            return try NetrLogonSamLogoff.Response(parsing: &stub).status.name
        case NetrServerPasswordSet.opnum, NetrServerPasswordSet2.opnum:
            return try AuthenticatedStatus(parsing: &stub).status.name
        case NetrLogonGetCapabilities.opnum:
            let call = try NetrLogonGetCapabilities.Response(parsing: &stub)
            return "\(call.status.name) flags 0x\(Hex.string(call.capabilities))"
        case NetrLogonGetDomainInfo.opnum:
            let call = try NetrLogonGetDomainInfo.Response(parsing: &stub)
            let trusted = call.domainInformation?.trustedDomains.count ?? 0
            return "\(call.status.name), \(trusted) trusted domains"
        case _: return nil
        }
    }

    private static func logon(_ call: NetrLogonSamLogon.Request) -> String {
        "from \(call.computerName ?? "") level \(call.validationLevel.rawValue), "
            + call.logonInformation.description
    }

    private static func validation(
        _ validation: NetlogonValidation, _ status: NTStatus
    ) -> String {
        guard let user = validation.samInfo else { return status.name }
        return "\(status.name), \(user.description)"
    }
}

extension ChannelClaim: CustomStringConvertible {
    package var description: String {
        "\(accountName) from \(computerName), type \(secureChannelType.rawValue)"
    }
}

extension AccountCall: CustomStringConvertible {
    package var description: String {
        "\(accountName) from \(computerName), type \(secureChannelType.rawValue)"
    }
}
